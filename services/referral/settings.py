"""The settings of referral: what `shared.settings` describes, with its own ports and peers."""

from typing import ClassVar

from shared.settings import Port, ServiceSettings


class Settings(ServiceSettings):
    follows: ClassVar[tuple[str, ...]] = ("intake", "dedup")

    port: Port = 8003
    metrics_port: Port = 9003
