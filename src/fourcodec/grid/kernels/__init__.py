"""The compiled loops of the profile grid."""
