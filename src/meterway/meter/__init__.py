"""The electricity meter: a virtual metering end device with its registers, profiles, events and commands."""
