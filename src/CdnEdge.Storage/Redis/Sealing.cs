using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace CdnEdge.Storage.Redis;

/// <summary>Why a value found in Redis is no use.</summary>
internal enum SealFault
{
    None,
    /// <summary>Not one of ours, or cut short.</summary>
    Foreign,
    /// <summary>Of another version of this program.</summary>
    Version,
    /// <summary>Written with a key that isn't in the ring, or encrypted where we aren't, or the other way round.</summary>
    Key,
    /// <summary>Changed, or moved here from another place.</summary>
    Tampered,
}

/// <summary>
/// Values as they stand in Redis: a plain envelope (magic, version, kind, the key's id, the object's id), then the sealed bytes, then
/// the tag. Sealed means AES-256-GCM, with the envelope and the value's place as associated data, so that nothing read is of another
/// URL, variant, object or position. Without keys the tag is a checksum over the same.
/// </summary>
/// <remarks>
/// Each object has a key of its own, derived (HKDF-SHA256) from the ring's with the object's 128-bit random id as salt, and
/// counts its values: a nonce never comes twice under a key, however many objects are written, which random 96-bit nonces
/// under one key don't promise (NIST SP 800-38D §8.3 ends that at 2^32).
/// </remarks>
internal sealed class Sealing(KeyRing ring)
{
    internal const int TagBytes = 16;
    internal const int ObjectIdBytes = 16;

    /// <summary>Raise it whenever what is inside changes (<see cref="Caching.HeadRecord"/> too).</summary>
    internal const byte Version = 2;

    private static ReadOnlySpan<byte> Magic => "CdnE"u8;

    internal static byte[] NewObjectId() => RandomNumberGenerator.GetBytes(ObjectIdBytes);

    /// <summary>Seals a value with the active key.</summary>
    /// <param name="kind">What it is; part of the envelope.</param>
    /// <param name="objectId">The object's id.</param>
    /// <param name="index">The value's number within the object: never twice with different bytes.</param>
    /// <param name="place">Where it belongs.</param>
    /// <param name="plain">The bytes.</param>
    internal byte[] Seal(byte kind, ReadOnlySpan<byte> objectId, int index, ReadOnlySpan<byte> place, ReadOnlySpan<byte> plain)
    {
        var id = Encoding.ASCII.GetBytes(ring.ActiveId);
        var envelope = Magic.Length + 3 + id.Length + ObjectIdBytes;
        var value = new byte[envelope + plain.Length + TagBytes];
        Magic.CopyTo(value);
        value[4] = Version;
        value[5] = kind;
        value[6] = (byte)id.Length;
        id.CopyTo(value.AsSpan(7));
        objectId.CopyTo(value.AsSpan(7 + id.Length));

        var associated = Associated(value.AsSpan(0, envelope), index, place);
        var sealed_ = value.AsSpan(envelope, plain.Length);
        var tag = value.AsSpan(envelope + plain.Length);
        if (ring.Find(ring.ActiveId) is { } key)
        {
            using var cipher = CipherOf(key, objectId);
            cipher.Encrypt(Nonce(index), plain, sealed_, tag, associated);
        }
        else
        {
            plain.CopyTo(sealed_);
            Checksum(associated, plain, tag);
        }

        return value;
    }

    /// <summary>What an envelope says that a value is, to be confirmed by opening it; 0 where there's none.</summary>
    internal static byte KindOf(ReadOnlySpan<byte> value) => value.Length > 5 && value.StartsWith(Magic) ? value[5] : (byte)0;

    /// <summary>Opens a value in place.</summary>
    /// <param name="objectId">The object that it has to belong to; empty: any, and the one found is returned.</param>
    /// <param name="opened">Its bytes, within <paramref name="value"/>.</param>
    internal SealFault Open(Memory<byte> value, byte kind, ReadOnlySpan<byte> objectId, int index, ReadOnlySpan<byte> place, out byte[] foundId, out Memory<byte> opened)
    {
        foundId = [];
        opened = default;
        var all = value.Span;
        if (all.Length < 7 || !all[..4].SequenceEqual(Magic))
            return SealFault.Foreign;
        if (all[4] != Version)
            return SealFault.Version;
        var envelope = 7 + all[6] + ObjectIdBytes;
        if (all[5] != kind || all.Length < envelope + TagBytes)
            return SealFault.Foreign;

        var key = ring.Find(Encoding.ASCII.GetString(all.Slice(7, all[6])));
        // Plain values count only where we write such: else whoever can write to Redis could do without a key.
        if (key is null && (all[6] != 0 || ring.ActiveId.Length != 0))
            return SealFault.Key;
        var id = all.Slice(envelope - ObjectIdBytes, ObjectIdBytes);
        if (!objectId.IsEmpty && !objectId.SequenceEqual(id))
            return SealFault.Tampered;

        var associated = Associated(all[..envelope], index, place);
        var inner = value[envelope..^TagBytes];
        var tag = all[^TagBytes..];
        if (!(key is null ? IsChecksum(associated, inner.Span, tag) : Decrypt(key, id, index, inner.Span, tag, associated)))
            return SealFault.Tampered;
        foundId = id.ToArray();
        opened = inner;
        return SealFault.None;
    }

    private static bool Decrypt(byte[] key, ReadOnlySpan<byte> objectId, int index, Span<byte> inner, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associated)
    {
        using var cipher = CipherOf(key, objectId);
        try
        {
            cipher.Decrypt(Nonce(index), inner, tag, inner, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private static AesGcm CipherOf(byte[] key, ReadOnlySpan<byte> objectId)
    {
        Span<byte> derived = stackalloc byte[KeyRing.KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, objectId, "cdnedge object"u8);
        var cipher = new AesGcm(derived, TagBytes);
        CryptographicOperations.ZeroMemory(derived);
        return cipher;
    }

    private static byte[] Nonce(int index)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteInt32BigEndian(nonce.AsSpan(8), index);
        return nonce;
    }

    private static byte[] Associated(ReadOnlySpan<byte> envelope, int index, ReadOnlySpan<byte> place)
    {
        var bytes = new byte[envelope.Length + 4 + place.Length];
        envelope.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(envelope.Length), index);
        place.CopyTo(bytes.AsSpan(envelope.Length + 4));
        return bytes;
    }

    private static bool IsChecksum(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> inner, ReadOnlySpan<byte> tag)
    {
        Span<byte> right = stackalloc byte[TagBytes];
        Checksum(associated, inner, right);
        return right.SequenceEqual(tag);
    }

    private static void Checksum(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> inner, Span<byte> tag)
    {
        var hash = new XxHash128();
        hash.Append(associated);
        hash.Append(inner);
        hash.GetHashAndReset(tag);
    }
}
