"""The host side of micrOS: finds, talks to, feeds and simulates nodes."""
VERSION = "2.0.0"
