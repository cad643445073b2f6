# Sourced by the programs of the lab: builds it, and becomes it.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

command -v redis-server >/dev/null || { echo "redis-server isn't installed (Debian: apt-get install redis-server)." >&2; exit 1; }
dotnet build CdnEdge.Lab -c Release -v quiet --nologo >&2
exec dotnet CdnEdge.Lab/bin/Release/net10.0/cdnedge-lab.dll "$@"
