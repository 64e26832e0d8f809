"""New databases are made by one squashed migration an app, older ones by all that it replaces."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tests.demo_history import connected_to, create, drop

OURS = ("accounts", "billing", "feedback", "jobs")
COPY = "test_one_by_one"
SCHEMA = """
    SELECT format('%s.%s %s %s %s', attrelid::regclass, attname,
                  format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid))
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
       AND NOT attisdropped
    UNION ALL
    SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT pg_get_functiondef(oid) FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prolang <> 13
       AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def loader() -> MigrationLoader:
    return MigrationLoader(None)


class TestSquashed:
    @pytest.mark.parametrize("app", OURS)
    def test_a_new_database_runs_it_and_nothing_that_it_replaces(self, app):
        run = {name for label, name in loader().graph.nodes if label == app}
        [squashed] = [name for name in run if "_squashed_" in name]
        replaced = {name for _, name in loader().disk_migrations[app, squashed].replaces}

        assert not run & replaced
        assert max(replaced) == squashed.split("_squashed_")[1]

    @pytest.mark.by_hand
    def test_both_ways_lead_to_the_same_schema(self, one_by_one):
        """By hand because the migrations one by one take half a minute of a processor."""
        at_once = schema()
        assert at_once
        with connected_to(one_by_one):
            assert schema() == at_once


def schema() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        return sorted(line for (line,) in cursor.fetchall())


@pytest.fixture
def one_by_one(transactional_db, django_db_blocker) -> Iterator[str]:
    """The name of a database in which every migration ran that is replaced for new ones."""
    create(COPY, template=None)
    with connected_to(COPY):
        executor = MigrationExecutor(connection)
        executor.loader = MigrationLoader(connection, replace_migrations=False)
        leaves = executor.loader.graph.leaf_nodes()
        executor.migrate([leaf for leaf in leaves if "_squashed_" not in leaf[1]])
        connection.close()
        connection.close_pool()
    yield COPY
    drop(COPY)
