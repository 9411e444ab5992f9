"""The floor that everything stands on: connections, migrations, due work, our own servers."""
