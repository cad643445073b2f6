namespace CdnEdge.Delivery.Configuration;

/// <summary>Something wrong in a configuration.</summary>
/// <param name="Path">Where: <c>CdnEdge:Policies:static:MaxTtl</c>.</param>
/// <param name="Text">What, and what would be right.</param>
/// <param name="IsUnknownKey">Nobody reads this key.</param>
internal sealed record ConfigurationMistake(string Path, string Text, bool IsUnknownKey = false)
{
    public override string ToString() => $"{Path}: {Text}";
}
