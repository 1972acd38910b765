"""What referral decides, pure: no I/O but for its own data files, no clock, no randomness of its own."""
