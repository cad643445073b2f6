using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Loops;

/// <summary>Via: every intermediary says that it was there, and how it received the message (RFC 9110 §7.6.3).</summary>
internal static class Via
{
    /// <summary>The field's name.</summary>
    public const string Field = "Via";

    /// <summary>
    /// The received-protocol of a request (<c>HTTP/1.1</c> -> <c>1.1</c>, <c>HTTP/2</c> -> <c>2</c>; the name is left
    /// out when it is HTTP).
    /// </summary>
    public static string ReceivedProtocol(string protocol) =>
        protocol.StartsWith("HTTP/", StringComparison.OrdinalIgnoreCase) && protocol.Length > 5 ? protocol[5..] : "1.1";

    /// <summary>The received-protocol of a response.</summary>
    public static string ReceivedProtocol(Version version) => version switch
    {
        { Major: 1, Minor: 1 } => "1.1",
        { Major: 1, Minor: 0 } => "1.0",
        { Major: 2 } => "2",
        { Major: 3 } => "3",
        _ => version.ToString(2),
    };
}

/// <summary>Appends this node to the Via of a request.</summary>
internal sealed class ViaRequestTransform(string name) : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var element = $"{Via.ReceivedProtocol(context.HttpContext.Request.Protocol)} {name}";
        AddHeader(context, Via.Field, FieldList.Append(TakeHeader(context, Via.Field), element));
        return default;
    }
}

/// <summary>Appends this node to the Via of a response.</summary>
internal sealed class ViaResponseTransform(string name) : ResponseTransform
{
    // The few protocols there are: one string each, not one per response.
    private readonly string _http10 = $"1.0 {name}";
    private readonly string _http11 = $"1.1 {name}";
    private readonly string _http2 = $"2 {name}";

    public override ValueTask ApplyAsync(ResponseTransformContext context)
    {
        // No response came: what the client gets is this node's own word.
        if (context.ProxyResponse is not { } response) return default;

        var element = (response.Version.Major, response.Version.Minor) switch
        {
            (1, 1) => _http11,
            (1, 0) => _http10,
            (2, _) => _http2,
            _ => $"{Via.ReceivedProtocol(response.Version)} {name}",
        };
        SetHeader(context, Via.Field, FieldList.Append(TakeHeader(context, Via.Field), element));
        return default;
    }
}
