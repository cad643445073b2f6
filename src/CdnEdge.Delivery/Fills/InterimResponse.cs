namespace CdnEdge.Delivery.Fills;

/// <summary>An interim (1xx) response.</summary>
internal readonly record struct InterimResponse(int Status, IReadOnlyList<KeyValuePair<string, string>> Fields);
