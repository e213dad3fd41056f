"""Alembic's folder: how it enters (env.py), and every revision (versions/)."""
