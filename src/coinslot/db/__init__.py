"""PostgreSQL: connections, transactions, due work, migrations, the embedded server."""
