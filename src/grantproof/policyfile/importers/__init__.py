"""What other systems write down about access, read as organizations; one module a format."""
