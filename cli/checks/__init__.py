"""What `doctor` looks at, by area."""
