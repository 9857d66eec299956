"""Software as a service: an organization for each tenant."""
