namespace CdnEdge.Upstream;

/// <summary>Section <c>CdnEdge:Peering</c>: how the nodes of a CDN know each other when they ask each other.</summary>
public sealed class PeeringOptions
{
    /// <summary>This node's name among the nodes, another one for each: 1 to 64 letters, digits, <c>.</c>, <c>-</c> and <c>_</c>. The machine's, if nothing is said.</summary>
    public string Id { get; set; } = Environment.MachineName;

    /// <summary>The key that all nodes share: 32 bytes in base64 (<c>openssl rand -base64 32</c>). Null: this node neither asks nor answers others as a peer.</summary>
    public string? Key { get; set; }

    /// <summary>The key before that, still taken while the nodes change from one to the other; null: none.</summary>
    public string? PreviousKey { get; set; }

    /// <summary>How far the clocks of two nodes may be apart; 1 s to 5 minutes.</summary>
    public TimeSpan MaxClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many nodes a request may go through after the one that a client asked; 1 to 4.</summary>
    public int MaxHops { get; set; } = 1;
}
