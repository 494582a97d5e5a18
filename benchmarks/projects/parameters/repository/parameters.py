"""The parameters of a heating controller; nothing here but numbers and switches."""

# How strongly it answers to a difference, to one that lasts, and to one that grows.
PROPORTIONAL = 0.8
INTEGRAL = 0.05

# Bounds of the valve, and of the sum of past differences.
VALVE_LEAST = 0
VALVE_MOST = 100
WINDUP_LIMIT = 20

# The day and night, in degrees and hours.
DAY_TARGET = 21
NIGHT_TARGET = 17
DAY_BEGINS = 6
DAY_ENDS = 22
PREHEAT_MINUTES = 15

# Smoothing of the sensor; 0 is none.
SENSOR_SMOOTHING = 0.6
DEADBAND_TENTHS = 4

# Of no use while nobody is connected.
DISPLAY_BRIGHTNESS = 7
DISPLAY_TIMEOUT_SECONDS = 30
DISPLAY_LANGUAGE = 2
REPORT_EVERY_MINUTES = 10
REPORT_RETRIES = 3
REPORT_PORT = 8080
LOG_LEVEL = 1
LOG_DAYS = 14
USE_FAHRENHEIT = False
BEEP = True
CHILD_LOCK = False
