<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use cmd;
use Jeenergie\Contract\Catalogue;

/**
 * What a tile consists of: the parts of its type in the catalogue, else those of its purpose, else a figure and a list.
 *
 * A part gets the command that it names by logicalId or by what it measures or does; parts whose command is not visible are
 * left out. What is visible and in no part follows as "rest".
 */
final class Plan
{
    /** Keys of a part that the user reads. */
    private const TEXTS = ['label', 'plus', 'minus', 'zero', 'waiting'];

    /** @var cmd[] by logicalId */
    private $commands;

    /** @var array[] rows of the catalogue, by logicalId */
    private $rows;

    /** @var true[] logicalIds that stand in a part */
    private $used = ['refresh' => true];

    /** @var string */
    private $id;

    /** @var string */
    private $backend;

    /** @var string file of core/contract that the texts are from */
    private $file;

    private function __construct(Subject $subject)
    {
        $eqLogic = $subject->eqLogic;
        $this->commands = $subject->commands;
        $this->rows = $subject->rows();
        $this->id = (string) $eqLogic->getId();
        $this->backend = $eqLogic->backend();
        $this->file = 'catalogue/' . $eqLogic->backend() . '.json';
    }

    /** @return array[] parts: {part, cmd, label, ...}; those of "list" have {rows}, of "buttons" {buttons} */
    public static function of(Subject $subject): array
    {
        $eqLogic = $subject->eqLogic;
        $tile = Catalogue::part($eqLogic->backend(), $eqLogic->type())['tile'] ?? [];
        return (new self($subject))->parts($tile + ($eqLogic->isConnection() ? ['purpose' => 'connection'] : []));
    }

    private function parts(array $tile): array
    {
        $parts = $tile['parts'] ?? null;
        if ($parts === null) {
            $parts = $this->purpose($tile['purpose'] ?? null);
            $this->file = 'tiles.json';
        }
        $filled = array_values(array_filter(array_map([$this, 'filled'], $parts)));
        $rest = $this->rest($filled === []);
        return array_merge($filled, $rest);
    }

    private function purpose(?string $name): array
    {
        foreach (Catalogue::tiles()['purposes'] as $purpose) {
            $fits = $purpose['needs'] !== [] && $this->has($purpose['needs']);
            if ($name === null ? $fits : $purpose['purpose'] === $name) {
                return $purpose['parts'];
            }
        }
        return [];
    }

    /** Whether there is a command for each of these quantities. */
    private function has(array $needs): bool
    {
        foreach ($needs as $quantity) {
            $measuring = $this->measuring($quantity, null) ?? $this->doing($quantity);
            if ($measuring === null) {
                return false;
            }
        }
        return true;
    }

    private function filled(array $part): ?array
    {
        foreach (self::TEXTS as $key) {
            if (isset($part[$key])) {
                $part[$key] = Catalogue::text($part[$key], $this->file);
            }
        }
        foreach ($part['columns'] ?? [] as $column => $word) {
            $part['columns'][$column] = Catalogue::text($word, $this->file);
        }
        foreach ($part['words'] ?? [] as $value => $word) {
            $part['words'][$value] = Catalogue::text($word, $this->file);
        }
        switch ($part['part'] ?? 'row') {
            case 'list':
                $part['rows'] = array_values(array_filter(array_map([$this, 'filled'], $part['rows'])));
                return $part['rows'] === [] ? null : $part;
            case 'table':
                $part['rows'] = isset($part['lines']) ? $this->lines($part) : $this->table();
                return $part['rows'] === [] ? null : $part;
            case 'buttons':
                $part['buttons'] = $this->buttons($part);
                return $part['buttons'] === [] ? null : $part;
            case 'switch':
                return $this->switch($part);
            case 'choice':
                return $this->choice($part);
            case 'roof':
                return $part;
            case 'link':
                return $part + ['id' => $this->id];
        }
        $found = $this->named($part, true);
        if ($found === null) {
            return null;
        }
        if (isset($part['unless'])) {
            $part['unless'] = ['cmd' => $this->commands[$part['unless']['of']] ?? null] + $part['unless'];
        } elseif ($part['known'] ?? false) {
            $part['unless'] = ['cmd' => $found, 'is' => ['']];
        }
        if (is_array($part['most'] ?? null)) {
            $most = $this->named($part['most'], false);
            $part['most'] = $most;
        }
        return $this->take($found, $part);
    }

    private function take(cmd $cmd, array $part): array
    {
        $logicalId = (string) $cmd->getLogicalId();
        $this->used[$logicalId] = true;
        $row = $this->rows[$logicalId] ?? [];
        $isRenamed = $row !== [] && !Catalogue::isGivenName($this->backend, $row, (string) $cmd->getName());
        if ($isRenamed || ($part['label'] ?? '') === '') {
            $part['label'] = $isRenamed ? $cmd->getName() : $this->withoutUnit($cmd); // the user's own name is his
        }
        $words = isset($part['words']) ? [] : Catalogue::valuesToRead($this->backend, $row);
        return ['part' => $part['part'] ?? 'row', 'cmd' => $cmd, 'color' => $this->color($row)] + $part
            + ($words === [] ? [] : ['words' => $words]);
    }

    /** A name that ends with its unit, which stands beside the value anyway, in another size perhaps. */
    private function withoutUnit(cmd $cmd): string
    {
        $name = $this->nameToRead($cmd);
        $unit = ' (' . $cmd->getUnite() . ')';
        return substr($name, -strlen($unit)) === $unit ? substr($name, 0, -strlen($unit)) : $name;
    }

    private function nameToRead(cmd $cmd): string
    {
        $row = $this->rows[(string) $cmd->getLogicalId()] ?? [];
        return Catalogue::nameToRead($this->backend, $row, (string) $cmd->getName());
    }

    private function color(array $row): string
    {
        $measures = $row['measures'] ?? '';
        $quantity = is_array($measures) ? $measures['quantity'] : $measures;
        $words = Catalogue::quantities();
        return $words['colors'][$words['quantities'][$quantity]['color'] ?? ''] ?? '';
    }

    /** The info that a part names; one that stands in a part before it does not stand here again. */
    private function named(array $part, bool $visible): ?cmd
    {
        $named = isset($part['of'])
            ? array_map(fn(string $logicalId): ?cmd => $this->commands[$logicalId] ?? null, (array) $part['of'])
            : [$this->measuring($part['quantity'], $part['per'] ?? 'now')];
        $shown = array_filter($named, fn(?cmd $cmd): bool => $cmd !== null && $cmd->getType() === 'info'
            && (!$visible || ($cmd->getIsVisible() == 1 && !isset($this->used[$cmd->getLogicalId()]))));
        if ($shown !== [] && $visible && !in_array($part['part'] ?? 'row', ['figure'], true)) {
            $this->used += array_fill_keys((array) ($part['of'] ?? []), true);
        }
        return reset($shown) ?: null;
    }

    /** The command that measures a quantity; $per null: of any period. */
    private function measuring(string $quantity, ?string $per): ?cmd
    {
        foreach ($this->rows as $logicalId => $row) {
            $measures = $row['measures'] ?? null;
            $told = is_array($measures) ? $measures : ['quantity' => $measures, 'per' => 'now'];
            if (
                $told['quantity'] === $quantity && !isset($told['part']) && isset($this->commands[$logicalId])
                && ($per === null || $told['per'] === $per)
            ) {
                return $this->commands[$logicalId];
            }
        }
        return null;
    }

    private function doing(string $does): ?cmd
    {
        foreach ($this->rows as $logicalId => $row) {
            if (($row['does'] ?? '') === $does && isset($this->commands[$logicalId])) {
                return $this->commands[$logicalId];
            }
        }
        return null;
    }

    /** @return array[] {cmd, while: value of the linked info at which it is shown, info: that info} */
    private function buttons(array $part): array
    {
        $buttons = [];
        $named = array_map(fn(string $does): array => ['does' => $does], $part['does'] ?? []);
        foreach (array_merge($named, $part['of'] ?? []) as $each) {
            $cmd = isset($each['does']) ? $this->doing($each['does']) : $this->commands[$each['of']] ?? null;
            if ($cmd === null || $cmd->getIsVisible() != 1) {
                continue;
            }
            $logicalId = (string) $cmd->getLogicalId();
            $this->used[$logicalId] = true;
            $info = $this->commands[$this->rows[$logicalId]['value'] ?? ''] ?? null;
            $buttons[] = ['cmd' => $cmd, 'label' => $this->nameToRead($cmd)]
                + ['while' => $info === null ? null : $each['while'] ?? null, 'info' => $info];
        }
        return $buttons;
    }

    /** The choices of an action; `cmd`: the info that tells which one holds. */
    private function choice(array $part): ?array
    {
        $action = $this->doing($part['does'][0]);
        $state = $this->measuring($part['quantity'], null);
        if ($action === null || $state === null || $action->getIsVisible() != 1) {
            return null;
        }
        $this->used[$action->getLogicalId()] = $this->used[$state->getLogicalId()] = true;
        $choices = Catalogue::choices($this->backend, $this->rows[$action->getLogicalId()] ?? []);
        return ['cmd' => $state, 'action' => $action, 'choices' => $choices] + $part;
    }

    private function switch(array $part): ?array
    {
        $buttons = $this->buttons(['does' => [$part['on'], $part['off']]]);
        $state = $this->measuring($part['quantity'], null) ?? array_column($buttons, 'info')[0] ?? null;
        if ($state === null) {
            return $buttons === [] ? null : ['part' => 'buttons', 'buttons' => $buttons];
        }
        $this->used[$state->getLogicalId()] = true;
        return ['part' => 'switch', 'cmd' => $state, 'buttons' => $buttons] + $part;
    }

    /** The lines that the catalogue names: {label, <number of the column>: cmd}. */
    private function lines(array $part): array
    {
        $lines = [];
        foreach ($part['lines'] as $line) {
            $cells = [];
            foreach ($line['cells'] as $column => $logicalId) {
                $cmd = $this->named(['of' => $logicalId], true);
                if ($cmd !== null) {
                    $cells[$column] = $cmd;
                }
            }
            if ($cells !== []) {
                $lines[] = ['label' => Catalogue::text($line['label'], $this->file)] + $cells;
            }
        }
        return $lines;
    }

    /** Figures per day, month and year: {kind: {label, <period>: cmd}}. */
    private function table(): array
    {
        $table = [];
        foreach ($this->commands as $logicalId => $cmd) {
            $panel = Catalogue::panel($this->rows[$logicalId] ?? []);
            if ($panel === null || isset($panel['part']) || $cmd->getIsVisible() != 1) {
                continue;
            }
            if (in_array($panel['per'], ['day', 'month', 'year'], true)) {
                $this->used[$logicalId] = true;
                $table[$panel['kind']][$panel['per']] = $cmd;
                $name = preg_replace('/ (du |de la |de l’|de ce |de cette |par )?(jour|mois|mensuelle|an|ann(ée|uelle?))$/u', '', $cmd->getName());
                $table[$panel['kind']] += ['label' => Catalogue::text((string) $name, 'tiles.json')];
            }
        }
        // An energy stands beside its price.
        return array_replace(array_intersect_key(array_flip(Catalogue::tiles()['kinds']), $table), $table);
    }

    /**
     * What is visible and in no part: folded away if the tile has parts, else the tile itself.
     *
     * @return array[]
     */
    private function rest(bool $isAll): array
    {
        $rows = $buttons = $widgets = [];
        foreach ($this->commands as $logicalId => $cmd) {
            if (isset($this->used[$logicalId]) || $cmd->getIsVisible() != 1) {
                continue;
            }
            if ($cmd->getType() === 'info') {
                $isFigure = $isAll && $rows === [] && $cmd->getSubType() === 'numeric';
                $rows[] = $this->take($cmd, ['part' => $isFigure ? 'figure' : 'row']);
            } elseif ($cmd->getSubType() === 'other') {
                $buttons[] = ['cmd' => $cmd, 'label' => $this->nameToRead($cmd), 'while' => null, 'info' => null];
            } else {
                $widgets[] = $cmd;
            }
        }
        $parts = $isAll ? $rows : ($rows === [] ? [] : [['part' => 'list', 'rows' => $rows]]);
        if ($buttons !== []) {
            $parts[] = ['part' => 'buttons', 'buttons' => $buttons];
        }
        if ($widgets !== []) {
            $parts[] = ['part' => 'widgets', 'widgets' => $widgets];
        }
        return $isAll || $parts === [] ? $parts : [['part' => 'more', 'parts' => $parts]];
    }
}
