"""The PostgreSQL and Redis that come with `make run` and `make test`.

Nothing of the product imports this package: it ends in two settings, `DATABASE_URL` and
`REDIS_URL`.
"""
