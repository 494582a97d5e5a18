"""Every setting of Loreley, by section; read once from the environment and `.env`."""

from loreley.config.agents import AgentChoice as AgentChoice
from loreley.config.gates import GateSettings as GateSettings
from loreley.config.loading import FROM_ENV_FILE as FROM_ENV_FILE
from loreley.config.loading import environment_names as environment_names
from loreley.config.loading import get_settings as get_settings
from loreley.config.loading import is_configured as is_configured
from loreley.config.loading import is_redis_configured as is_redis_configured
from loreley.config.loading import load_renewed_settings as load_renewed_settings
from loreley.config.loading import load_settings as load_settings
from loreley.config.loading import valid_settings as valid_settings
from loreley.config.misspelling import describe_misspelt as describe_misspelt
from loreley.config.presets import preset_tables as preset_tables
from loreley.config.process import LOG_LEVELS as LOG_LEVELS
from loreley.config.process import level_problem as level_problem
from loreley.config.queue import QueueSettings as QueueSettings
from loreley.config.scheduler import BudgetSettings as BudgetSettings
from loreley.config.settings import Role as Role
from loreley.config.settings import Settings as Settings
from loreley.config.values import as_written as as_written
from loreley.config.values import expand_path as expand_path
from loreley.config.values import expanded as expanded
