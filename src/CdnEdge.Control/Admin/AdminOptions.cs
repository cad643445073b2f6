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

    /// <summary>A file to which each change is appended as a line of JSON. Null: only the log has it. Read at start only.</summary>
    public string? AuditFile { get; set; }

    /// <summary>Calls a second for each token (each address where there's none), after a burst of ten times as many.</summary>
    public int RequestsPerSecond { get; set; } = 100;

    /// <summary>For the commands that call the API, not for the node: it may stand in an environment that both share.</summary>
    public string? Token { get; set; }

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
