"""The settings of dedup: what `shared.settings` describes, with its own ports and peers."""

from typing import ClassVar

from shared.settings import Port, ServiceSettings


class Settings(ServiceSettings):
    follows: ClassVar[tuple[str, ...]] = ("intake", "referral")

    port: Port = 8002
    metrics_port: Port = 9002
