"""The settings of intake: what `shared.settings` describes, with its own ports and peers."""

from typing import ClassVar

from pydantic import Field

from services.intake.domain.releases import ReleasePolicy
from shared.settings import Port, ServiceSettings


class Settings(ServiceSettings):
    follows: ClassVar[tuple[str, ...]] = ("referral",)

    port: Port = 8001
    metrics_port: Port = 9001
    release: ReleasePolicy = Field(
        "unsure",
        description="when a complaint waits for a release reviewer: always, unsure (where there is a reason"
        " for doubt) or never",
    )
    release_imports: ReleasePolicy = Field(
        "unsure", description="the same for what is imported: always, unsure or never"
    )
