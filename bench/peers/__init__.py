"""The engines that users would pick instead, each in its own process and environment."""
