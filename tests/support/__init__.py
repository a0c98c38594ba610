"""What tests use together. Modules of tests import from here, never from each other."""
