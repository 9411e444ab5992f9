"""What a body may not have beside its fields: the schema says so where msgspec refuses it."""

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar.openapi.spec import Schema
from litestar.typing import FieldDefinition


class StrictBodies(StructSchemaPlugin):
    """As Litestar's own, which leaves `forbid_unknown_fields` out."""

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: SchemaCreator
    ) -> Schema:
        schema = super().to_openapi_schema(field_definition, schema_creator)
        known = msgspec.inspect.type_info(field_definition.type_)
        if isinstance(known, msgspec.inspect.StructType) and known.forbid_unknown_fields:
            schema.additional_properties = False
        return schema
