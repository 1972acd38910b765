"""`Schema`: the base of the bodies of routes. The text under a field describes it in the OpenAPI document."""

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)
