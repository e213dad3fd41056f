"""PostgreSQL: the tables, their migrations, and the repositories behind the ports of domain/ports.py."""
