from loreley.api import Run as Run

__all__ = ["Run"]
