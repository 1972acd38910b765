"""The settings of intake: what `shared.settings` describes, with its own ports and peers."""

from typing import ClassVar

from shared.settings import Port, ServiceSettings


class Settings(ServiceSettings):
    follows: ClassVar[tuple[str, ...]] = ("referral",)

    port: Port = 8001
    metrics_port: Port = 9001
