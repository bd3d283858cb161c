<?php

/** Answers of the database about Memory::$history: points of a span, or the first point from a moment on. */
function storedHistory(string $query, array $values): array
{
    if (strpos($query, 'SELECT 1 ') === 0) {
        return array_filter(Memory::$history, fn(array $row): bool => $row['cmd'] === $values['cmd']);
    }
    if (strpos($query, 'GROUP BY DATE') !== false || strpos($query, 'DESC LIMIT 1') !== false) {
        return dailyHistory($query, $values);
    }
    $from = $values['begin'] ?? $values['from'];
    $rows = array_filter(Memory::$history, fn(array $row): bool => $row['cmd'] === $values['cmd']
        && $row['datetime'] >= $from && $row['datetime'] < ($values['end'] ?? '9999'));
    if (strpos($query, 'MIN(`datetime`)') !== false) {
        return ['first' => $rows === [] ? null : min(array_column($rows, 'datetime'))];
    }
    usort($rows, fn(array $one, array $other): int => $one['datetime'] <=> $other['datetime']);
    return array_slice($rows, 0, (int) substr(strrchr($query, ' '), 1));
}

/** One figure per day, or the last value before a day. */
function dailyHistory(string $query, array $values): array
{
    $mine = array_filter(Memory::$history, fn(array $row): bool => $row['cmd'] === $values['cmd']);
    usort($mine, fn(array $one, array $other): int => $one['datetime'] <=> $other['datetime']);
    if (strpos($query, 'DESC LIMIT 1') !== false) {
        return array_slice(array_filter($mine, fn(array $row): bool => $row['datetime'] < $values['from']), -1);
    }
    $days = [];
    foreach ($mine as $row) {
        if ($row['datetime'] >= $values['from'] && $row['datetime'] <= $values['to']) {
            $days[substr($row['datetime'], 0, 10)][] = (float) $row['value'];
        }
    }
    preg_match('/(SUM|MAX|MIN)\(/', $query, $figure);
    $of = ['SUM' => 'array_sum', 'MAX' => 'max', 'MIN' => 'min'][$figure[1]];
    return array_map(fn(string $day): array => ['day' => $day, 'value' => $of($days[$day])], array_keys($days));
}
