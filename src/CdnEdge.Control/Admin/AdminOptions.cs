namespace CdnEdge.Control;

/// <summary>The section <c>CdnEdge:Admin</c>.</summary>
internal sealed class AdminOptions
{
    internal const string DefaultListen = "http://127.0.0.1:8081";

    /// <summary>The value of <see cref="Listen"/> that turns the API off.</summary>
    internal const string Off = "none";

    /// <summary>The address that the API listens on, or <see cref="Off"/>. Read at start only.</summary>
    public string Listen { get; set; } = DefaultListen;

    /// <summary>Who may call it, by name. None: whoever is on this machine may do everything.</summary>
    public IDictionary<string, AdminTokenOptions> Tokens { get; set; } = new Dictionary<string, AdminTokenOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Who may call it with a certificate in place of a token, by name; takes <see cref="AdminTlsOptions.ClientCa"/>.</summary>
    public IDictionary<string, AdminCertificateOptions> Certificates { get; set; } = new Dictionary<string, AdminCertificateOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>TLS, where <see cref="Listen"/> is an https:// address. Read at start only.</summary>
    public AdminTlsOptions Tls { get; set; } = new();

    /// <summary>A file to which each change is appended as a line of JSON. Null: only the log has it. Read at start only.</summary>
    public string? AuditFile { get; set; }

    /// <summary>Calls a second for each token (each address where there's none), after a burst of ten times as many.</summary>
    public int RequestsPerSecond { get; set; } = 100;

    /// <summary>For the commands that call the API, not for the node: it may stand in an environment that both share.</summary>
    public string? Token { get; set; }

    /// <summary>As <see cref="Token"/>: how the commands call an https:// address.</summary>
    public AdminClientOptions Client { get; set; } = new();

    /// <summary>Somebody is named who may call: it's not open to whoever is on this machine, and may be reached from others.</summary>
    internal bool HasCallers => Tokens.Count > 0 || Certificates.Count > 0;

    internal bool IsOff => Listen.Equals(Off, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A token of the admin API.</summary>
internal sealed class AdminTokenOptions
{
    /// <summary>As <c>cdnedge token new</c> prints it (<see cref="AdminToken.HashOf"/>).</summary>
    public string Hash { get; set; } = "";

    /// <summary>What its bearer may do.</summary>
    public IList<AdminScope> Scopes { get; set; } = [];
}

/// <summary>A certificate that the admin API knows.</summary>
internal sealed class AdminCertificateOptions
{
    /// <summary>The common name in the certificate's subject.</summary>
    public string CommonName { get; set; } = "";

    /// <summary>What its holder may do.</summary>
    public IList<AdminScope> Scopes { get; set; } = [];
}

/// <summary>How the admin API of another is called over TLS.</summary>
internal class AdminClientOptions
{
    /// <summary>A PEM file of the authorities that are believed. Null: the system's.</summary>
    public string? Ca { get; set; }

    /// <summary>A PEM file of the caller's own certificate. Null: none.</summary>
    public string? Certificate { get; set; }

    /// <summary>A PEM file of its key. Null: in the same file.</summary>
    public string? Key { get; set; }
}

/// <summary>What a call takes.</summary>
internal enum AdminScope
{
    /// <summary>Look: statistics, stored objects, the configuration.</summary>
    Read,

    /// <summary>Purge.</summary>
    Purge,

    /// <summary>Drain, reload the configuration.</summary>
    Operate,
}
