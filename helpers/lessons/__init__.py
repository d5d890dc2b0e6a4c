"""Bring a lesson to where it begins: what it says first, what it builds, what it waits for."""
