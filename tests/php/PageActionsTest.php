<?php

use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\PageActions;

final class PageActionsTest extends JeenergieTestCase
{
    public function testEquipmentIsListedWithItsNumbersInOrder(): void
    {
        $connection = $this->connection();
        Discovery::create($connection, 'meter', '20', 'Éclairage', []);
        Discovery::create($connection, 'meter', '21', 'Zone', []);
        foreach (['10', '2', '1'] as $number) {
            Discovery::create($connection, 'meter', $number, 'Meter ' . $number, []);
        }
        $listed = PageActions::list()['connections'][0]['equipment'];
        $this->assertSame(['Éclairage', 'Meter 1', 'Meter 2', 'Meter 10', 'Zone'], array_column($listed, 'name'));
    }
}
