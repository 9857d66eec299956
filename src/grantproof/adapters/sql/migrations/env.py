"""Alembic's environment: it runs the versions on the connection that it is given.

The caller began the transaction and ends it, so that a migration happens entirely or not at all.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["versions"],
    transactional_ddl=True,
)
context.run_migrations()
