using System.Security.Cryptography;
using CdnEdge.Tls;

namespace CdnEdge.Control;

/// <summary>Section <c>CdnEdge:Purge</c>: who this node is, and who else wants to know of purges.</summary>
internal sealed class PurgeOptions
{
    /// <summary>The PoP that this node belongs to; the nodes that share a Redis share it. Letters, digits, <c>-</c> and <c>_</c>.</summary>
    public string Pop { get; set; } = "local";

    /// <summary>This node's name, another one for each node of a PoP. The machine's, if nothing is said.</summary>
    public string Node { get; set; } = Environment.MachineName;

    /// <summary>
    /// Where a node without Redis keeps its log of purges. Null: it keeps none; what is purged is purged in its memory, which ends
    /// with the process too.
    /// </summary>
    public string? LogFile { get; set; }

    /// <summary>About how large that file may grow, in bytes: at least 64 KiB.</summary>
    public long MaxLogBytes { get; set; } = 64 << 20;

    /// <summary>About how many purges a log in Redis holds, 1,000 to 10,000,000.</summary>
    public long MaxLogEntries { get; set; } = 100_000;

    /// <summary>How long a log in Redis stays if nobody purges: longer than anything is stored. At least an hour.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(60);

    /// <summary>The other PoPs.</summary>
    public IList<PeerOptions> Peers { get; set; } = [];

    /// <summary>Every mistake, by its path.</summary>
    /// <param name="path">Where the options stand: <c>CdnEdge:Purge</c>.</param>
    /// <param name="hasRedis">The log is kept in Redis.</param>
    internal IEnumerable<string> Errors(string path, bool hasRedis)
    {
        if (!IsName(Pop))
            yield return $"{path}:Pop: '{Pop}' is not a name; 1 to 64 letters, digits, '-' and '_', such as lhr";
        if (!IsName(Node.Replace('.', '-'), 253))
            yield return $"{path}:Node: '{Node}' is not a name; 1 to 253 letters, digits, '.', '-' and '_', such as edge-1";
        if (LogFile is not null && (string.IsNullOrWhiteSpace(LogFile) || Directory.Exists(LogFile)))
            yield return $"{path}:LogFile: '{LogFile}' is not a file; write a path such as /var/lib/cdnedge/purges.log, or leave it out";
        if (LogFile is null && !hasRedis && Peers.Count > 0)
            yield return $"{path}:LogFile: missing; what other PoPs haven't got yet has to survive a restart: write a path such as /var/lib/cdnedge/purges.log, or give the PoP a Redis (CdnEdge:Redis:Connection)";
        if (MaxLogBytes < 64 << 10)
            yield return $"{path}:MaxLogBytes: {MaxLogBytes} is too little; at least {64 << 10} bytes";
        if (MaxLogEntries is < 1000 or > 10_000_000)
            yield return $"{path}:MaxLogEntries: {MaxLogEntries} is not from 1000 to 10000000";
        if (Retention < TimeSpan.FromHours(1))
            yield return $"{path}:Retention: {Retention:c} is too short; at least 01:00:00, and longer than anything is stored";

        for (var i = 0; i < Peers.Count; i++)
        {
            var peer = Peers[i];
            var at = $"{path}:Peers:{i}";
            if (!IsName(peer.Name))
                yield return $"{at}:Name: '{peer.Name}' is not a name; the other PoP's {path}:Pop";
            else if (peer.Name == Pop)
                yield return $"{at}:Name: '{peer.Name}' is this PoP; only the others belong here";
            else if (Peers.Take(i).Any(other => other.Name == peer.Name))
                yield return $"{at}:Name: '{peer.Name}' stands here twice";
            if (!Uri.TryCreate(peer.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Query.Length > 0 || url.Fragment.Length > 0)
                yield return $"{at}:Url: '{peer.Url}' is not the URL of an admin API, such as https://admin.fra.example.net:8081";
            else if (url.UserInfo.Length > 0)
                yield return $"{at}:Url: no user and password here; the token belongs into {at}:Token";
            if (string.IsNullOrWhiteSpace(peer.Token) && peer.Certificate is null && url is not { IsLoopback: true })
                yield return $"{at}:Token: none; a token of that PoP's admin API with the scope purge, or {at}:Certificate";
            else if (!peer.Token.All(static c => c is > ' ' and < '\x7f'))
                yield return $"{at}:Token: a token has no blanks and no characters outside ASCII";
            if (peer.MistakeInFiles() is { } mistake)
                yield return $"{at}:{(peer.Certificate is null ? "Ca" : "Certificate")}: {mistake}";
        }
    }

    private static bool IsName(string? name, int longest = 64) =>
        name is { Length: > 0 } && name.Length <= longest && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

/// <summary>Another PoP.</summary>
internal sealed class PeerOptions : AdminClientOptions
{
    /// <summary>Its <see cref="PurgeOptions.Pop"/>.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its admin API.</summary>
    public string Url { get; set; } = "";

    /// <summary>A token for it, with the scope <c>purge</c>; not with a <see cref="AdminClientOptions.Certificate"/>.</summary>
    public string Token { get; set; } = "";

    /// <summary>How it's called.</summary>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">A file isn't what it should be.</exception>
    /// <exception cref="ArgumentException">As <see cref="CryptographicException"/>.</exception>
    internal SocketsHttpHandler Handler()
    {
        var handler = AdminHttp.Handler(this);
        handler.UseCookies = false;
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5); // so that a name that moves is followed
        return handler;
    }

    /// <summary>What is wrong with its files; null: nothing.</summary>
    internal string? MistakeInFiles()
    {
        try
        {
            Handler().Dispose();
            return null;
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            return e.Message;
        }
    }
}
