"""The package from outside: three short scripts, each run by a test."""
