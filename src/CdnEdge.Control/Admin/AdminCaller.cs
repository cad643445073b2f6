using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>Who calls the admin API.</summary>
/// <param name="Name">The token's name; <c>local</c> where no token is configured.</param>
/// <param name="Scopes">What it may do.</param>
internal sealed record AdminCaller(string Name, FrozenSet<AdminScope> Scopes)
{
    /// <summary>Somebody on this machine, where no token is configured.</summary>
    internal static AdminCaller Local { get; } = new("local", Enum.GetValues<AdminScope>().ToFrozenSet());

    internal static AdminCaller? Of(HttpContext context) => context.Features.Get<AdminCaller>();
}

/// <summary>The callers that the configuration knows.</summary>
internal sealed class AdminCallers
{
    private readonly (byte[] Digest, AdminCaller Caller)[] _known;

    internal AdminCallers(AdminOptions options) => _known =
    [
        .. options.Tokens.Select(static token => AdminToken.TryReadHash(token.Value.Hash, out var digest)
            ? (digest, new AdminCaller(token.Key, token.Value.Scopes.ToFrozenSet()))
            : throw new ArgumentException($"The token '{token.Key}' has no hash.", nameof(options))),
    ];

    /// <summary>No token is configured.</summary>
    internal bool IsOpen => _known.Length == 0;

    /// <summary>The caller whose token it is; null if it's nobody's. Takes as long for a wrong token as for a right one.</summary>
    internal AdminCaller? Find(string token)
    {
        var digest = AdminToken.Digest(token);
        AdminCaller? found = null;
        foreach (var (known, caller) in _known)
        {
            if (CryptographicOperations.FixedTimeEquals(known, digest))
                found = caller;
        }

        return found;
    }
}
