<?php

/** Answers of the database about Memory::$history: points of a span, or the first point from a moment on. */
function storedHistory(string $query, array $values): array
{
    $from = $values['begin'] ?? $values['from'];
    $rows = array_filter(Memory::$history, fn(array $row): bool => $row['cmd'] === $values['cmd']
        && $row['datetime'] >= $from && $row['datetime'] < ($values['end'] ?? '9999'));
    if (strpos($query, 'MIN(`datetime`)') !== false) {
        return ['first' => $rows === [] ? null : min(array_column($rows, 'datetime'))];
    }
    usort($rows, fn(array $one, array $other): int => $one['datetime'] <=> $other['datetime']);
    return array_slice($rows, 0, (int) substr(strrchr($query, ' '), 1));
}
