namespace CdnEdge.Security;

/// <summary>The section <c>CdnEdge:Limits</c>: what the node as a whole bears. Read at start only.</summary>
internal sealed class LimitOptions
{
    /// <summary>Connections at a time, of all clients. Null: as many as the system has room for.</summary>
    public int? Connections { get; set; }

    /// <summary>Connections at a time of one client address. Trusted proxies may have as many as they like. Null: any number.</summary>
    public int? ConnectionsPerAddress { get; set; }

    /// <summary>An IPv6 client has a whole network of addresses: the first so many bits count as one client. 32 to 128.</summary>
    public int Ipv6Prefix { get; set; } = 64;

    /// <summary>So many clients are remembered for each rate; of more, those not seen for longest are forgotten, and begin anew. 100 to 10,000,000.</summary>
    public int Clients { get; set; } = 100_000;

    /// <summary>Requests that wait for upstream at a time: with more, further ones are refused. 1 to 1,000,000.</summary>
    public int Fetches { get; set; } = 10_000;

    /// <summary>The share of the memory that the process may use from which on nothing is fetched. 0.5 to 1.</summary>
    public double Memory { get; set; } = 0.9;

    /// <summary>So long work may wait for a thread before nothing is fetched any more. 50 ms to a minute.</summary>
    public TimeSpan QueueDelay { get; set; } = TimeSpan.FromSeconds(2);

    internal IEnumerable<string> Errors(string path)
    {
        if (Connections is < 1)
            yield return $"{path}:Connections: {Connections} lets nobody in; at least 1, or leave it out for any number";
        if (ConnectionsPerAddress is < 1)
            yield return $"{path}:ConnectionsPerAddress: {ConnectionsPerAddress} lets nobody in; at least 1, or leave it out for any number";
        if (Ipv6Prefix is < 32 or > 128)
            yield return $"{path}:Ipv6Prefix: {Ipv6Prefix} is not between 32 and 128; 64 is one household's, 48 one company's";
        if (Clients is < 100 or > 10_000_000)
            yield return $"{path}:Clients: {Clients} is not between 100 and 10,000,000";
        if (Fetches is < 1 or > 1_000_000)
            yield return $"{path}:Fetches: {Fetches} is not between 1 and 1,000,000";
        if (Memory is < 0.5 or > 1)
            yield return $"{path}:Memory: {Memory} is not a share between 0.5 and 1";
        if (QueueDelay < TimeSpan.FromMilliseconds(50) || QueueDelay > TimeSpan.FromMinutes(1))
            yield return $"{path}:QueueDelay: {QueueDelay:c} is not between 50 ms and a minute; such as 00:00:02";
    }
}
