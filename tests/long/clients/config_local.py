"""pgAdmin 4 for one person, without a login of its own or a browser of its own choice."""

SERVER_MODE = False
MASTER_PASSWORD_REQUIRED = False
UPGRADE_CHECK_ENABLED = False
DEFAULT_SERVER = "0.0.0.0"
DEFAULT_SERVER_PORT = 5050
DATA_DIR = "/tmp/pgadmin"
LOG_FILE = "/tmp/pgadmin.log"
