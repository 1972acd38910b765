import pytest

# The suite is no test module itself; without this its asserts would not tell what they compared.
pytest.register_assert_rewrite("tests.unit.shared.store.conformance")
