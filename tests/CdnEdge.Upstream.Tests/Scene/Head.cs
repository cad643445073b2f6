namespace CdnEdge.Upstream.Tests.Scene;

/// <summary>Reads the fields of a message's head.</summary>
internal static class Head
{
    /// <summary>The values of a field's lines, in order; case of the name ignored.</summary>
    public static string[] Field(string message, string name) =>
    [
        .. message.Split("\r\n\r\n")[0].Split("\r\n").Skip(1)
            .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 1)..].Trim()),
    ];
}
