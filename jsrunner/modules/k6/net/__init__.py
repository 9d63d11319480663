"""Modules of k6/net."""
