// The systemd unit of a bridge. Pure.

export interface UnitParts {
  /** Of the unit, its user and its folder. */
  readonly name: string
  readonly node: string
  /** What node runs. */
  readonly script: string
  /** Profile and store. */
  readonly home: string
}

/**
 * Hardened as far as Node runs under it: its compiler writes executable memory, so MemoryDenyWriteExecute stays out.
 * Names and values: systemd.exec(5), systemd.service(5). NotifyAccess is for systemd-notify, a child of the bridge.
 */
export function unitText({ name, node, script, home }: UnitParts): string {
  return `[Unit]
Description=sms-bridge (${name}): texts as a channel of Intercom
After=network-online.target postgresql.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${quoted(node)} ${quoted(script)} serve
Environment=SMS_BRIDGE_HOME=${home}
Environment=SMS_BRIDGE_LOG=json
User=${name}
Group=${name}
StateDirectory=${name}
StateDirectoryMode=0700
UMask=0077
Restart=always
RestartSec=5
# A large store is copied before it is migrated.
TimeoutStartSec=600
# What has arrived is answered and what is in hand finished: up to 35 s.
TimeoutStopSec=45
WatchdogSec=60
LimitNOFILE=65536
# A core dump would hold credentials and messages.
LimitCORE=0
StandardOutput=journal
StandardError=journal
SyslogIdentifier=${name}

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** As systemd reads words: in quotes, with `%` and `$` standing for themselves. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
}
