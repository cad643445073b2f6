using CdnEdge.Caching;

namespace CdnEdge.Delivery.Fills;

/// <summary>What requests collapse on: URL and the request's values of what it varies by.</summary>
internal readonly record struct FillKey(CacheKey Key, string Selecting);
