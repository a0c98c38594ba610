"""Integers <-> bytes by arithmetic coding, in compiled loops. All profiles code their integers with it."""
