"""Starts and keeps up what `make up` needs on one machine: servers, portal, jobs. Knows no Django."""
