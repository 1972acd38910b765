"""An address's `sslmode` and `sslrootcert` hold for a service and for its migrations alike.

`migrate` once handed the address to SQLAlchemy, which knows neither, nor `postgres://`.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from shared.store.connections import connect
from shared.store.migrate import check_schema, migrate
from shared.store.postgres import PostgresStore
from shared.store.requests import Appended
from tests.engines import Databases
from tests.integration.shared.store.tls import Authority, tls_in_front_of
from tests.unit.shared.store.examples import PUBLIC, new_stream, one_event


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def plain_url(postgres: Postgres) -> Iterator[str]:
    with Databases(postgres).new() as url:
        yield url


@pytest.fixture
async def address(postgres: Postgres, plain_url: str, authority: Authority) -> AsyncIterator[str]:
    """Of the server behind TLS, whose certificate is for `localhost`."""
    async with tls_in_front_of(postgres.port, authority.server("localhost")) as port:
        url = plain_url.replace(f"127.0.0.1:{postgres.port}", f"localhost:{port}")
        yield url.replace("postgresql://", "postgres://") + "?sslmode=verify-full&sslrootcert="


async def test_a_service_and_its_migrations_verify_the_server(address: str, authority: Authority) -> None:
    url = f"{address}{authority.file}"
    await migrate("intake", url)
    await check_schema("intake", url)
    async with PostgresStore(url, PUBLIC) as store:
        assert await store.append(one_event(new_stream())) == Appended((1,), (1,))
        assert await store.head() == 1


async def test_a_certificate_of_somebody_else_or_for_another_name_is_refused(
    address: str, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await migrate("intake", f"{address}{Authority(tmp_path, 'others').file}")
    by_number = f"{address}{authority.file}".replace("@localhost:", "@127.0.0.1:")
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(by_number, timeout=10)


async def test_without_a_file_the_authorities_of_the_machine_are_trusted_alone(address: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(f"{address}system", timeout=10)
