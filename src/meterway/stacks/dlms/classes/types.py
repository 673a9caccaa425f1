"""Types of attributes and method parameters: each turns COSEM data into plain typed Python and back.

``typed`` is lenient where real meters are loose (another integer width, null-data, an empty date-time) and
notes the deviation by name in ``quirks``; what does not fit at all raises ``Mismatch``. ``untyped`` takes the
typed value or its plain form (mappings, lists and text, as JSON and TOML know them).
"""

from meterway.stacks.dlms.classes.composites import (
    ANY,
    Array,
    Choice,
    Structure,
    array,
    choice,
    structure,
)
from meterway.stacks.dlms.classes.moments import DATE, DATE_TIME, TAGGED_DATE_TIME, TIME, Moment
from meterway.stacks.dlms.classes.scalars import (
    BIT_STRING,
    BOOLEAN,
    DOUBLE_LONG,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG,
    LONG_UNSIGNED,
    NULL,
    OBIS,
    OCTETS,
    UNIT,
    UNSIGNED,
    UTF8,
    VISIBLE,
    Enumerated,
    Integer,
    Mismatch,
    Type,
    enumerated,
)

__all__ = [
    "ANY",
    "BIT_STRING",
    "BOOLEAN",
    "DATE",
    "DATE_TIME",
    "DOUBLE_LONG",
    "DOUBLE_LONG_UNSIGNED",
    "ENUM",
    "INTEGER",
    "LONG",
    "LONG_UNSIGNED",
    "NULL",
    "OBIS",
    "OCTETS",
    "TAGGED_DATE_TIME",
    "TIME",
    "UNIT",
    "UNSIGNED",
    "UTF8",
    "VISIBLE",
    "Array",
    "Choice",
    "Enumerated",
    "Integer",
    "Mismatch",
    "Moment",
    "Structure",
    "Type",
    "array",
    "choice",
    "enumerated",
    "structure",
]
