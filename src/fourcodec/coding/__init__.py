"""Integers <-> bytes by arithmetic coding: what every profile's integers go through, compiled."""
