<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Pages\LiveValue;

final class LiveValueTest extends JeenergieTestCase
{
    /** @dataProvider meters */
    public function testTheLivestValueOfAMeterStandsInItsRow(string $wanted, array $rows): void
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['meter']['commands'] = $catalogue['equipment']['meter']['sets'] = [];
        foreach ($rows as $logicalId => [$unit, $quantity, $per]) {
            $catalogue['equipment']['meter']['commands'][] = [
                'logicalId' => $logicalId, 'name' => $logicalId, 'type' => 'info', 'subType' => 'numeric', 'unit' => $unit,
                'source' => 'x', 'measures' => ['quantity' => $quantity, 'per' => $per],
            ];
        }
        $this->useCatalogue($catalogue);
        $this->assertSame($wanted, LiveValue::of($this->equipment($this->connection()))['name']);
    }

    public static function meters(): array
    {
        return [
            'water before its cost' => ['Litres', [
                'Cost' => ['€', 'load.cost', 'year'], 'CostToday' => ['€', 'load.cost', 'today'],
                'Litres' => ['l', 'water.volume', 'today'], 'Counter' => ['m³', 'water.volume', 'counter'],
            ]],
            'power before energy' => ['Power', [
                'Energy' => ['kWh', 'load.energy', 'today'], 'Power' => ['W', 'load.power', 'now'],
            ]],
            'today before a counter' => ['Today', [
                'Counter' => ['kWh', 'load.energy', 'counter'], 'Today' => ['kWh', 'load.energy', 'today'],
            ]],
        ];
    }
}
