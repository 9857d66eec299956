"""What a release is made of: the packages, their digests, and what they stand on."""
